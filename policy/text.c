#include "policy/text.h"

#include <stdio.h>
#include <string.h>

void text_vformat(char *ret_text, size_t size, const char *format, va_list ap)
{
	static const char cut[] = "...";
	int len;

	if (size == 0)
		return;
	len = vsnprintf(ret_text, size, format, ap);
	if (len < 0)
		ret_text[0] = '\0';
	else if ((size_t)len >= size && size >= sizeof(cut))
		memcpy(ret_text + size - sizeof(cut), cut, sizeof(cut));
}

void text_format(char *ret_text, size_t size, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	text_vformat(ret_text, size, format, ap);
	va_end(ap);
}

void text_append(char *ret_text, size_t size, const char *format, ...)
{
	size_t used = strnlen(ret_text, size);
	va_list ap;

	va_start(ap, format);
	text_vformat(ret_text + used, size - used, format, ap);
	va_end(ap);
}

const char *text_time(time_t time, char *ret_text)
{
	struct tm tm;

	if (gmtime_r(&time, &tm) == NULL ||
	    strftime(ret_text, TEXT_TIME_SIZE, "%F %T UTC", &tm) == 0)
		text_format(ret_text, TEXT_TIME_SIZE, "(no such time)");
	return ret_text;
}
