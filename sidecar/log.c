#include "sidecar/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void log_line(enum log_level level, const char *who, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* systemd sets JOURNAL_STREAM where stderr is the journal */
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>", (int)level);
	fprintf(stderr, "%s%s%s\n", who ? who : "", who ? ": " : "", text);
}
