/* Sentences in buffers of fixed size: cut at the end, never overrun. */
#ifndef POLICY_TEXT_H
#define POLICY_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <time.h>

/* "2026-01-02 03:04:05 UTC" */
#define TEXT_TIME_SIZE 40

/* As vsnprintf() and snprintf(), but a text that is cut ends in "...". */
void text_vformat(char *ret_text, size_t size, const char *format, va_list ap)
	__attribute__((format(printf, 3, 0)));
void text_format(char *ret_text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Append likewise to the string that ret_text holds. */
void text_append(char *ret_text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ret_text has TEXT_TIME_SIZE bytes and is returned. */
const char *text_time(time_t time, char *ret_text);

#endif
