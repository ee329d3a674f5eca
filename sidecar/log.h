/*
 * The one log of the sidecar: lines on stderr, each with its neighbour in
 * front; under systemd with the level that the journal understands. What a
 * stranger can trigger is counted elsewhere and never comes here.
 */
#ifndef SIDECAR_LOG_H
#define SIDECAR_LOG_H

enum log_level {
	LOG_LEVEL_ERROR = 3,	/* the numbers of syslog(3) */
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6
};

/* `who` is the peer's name, or NULL for the daemon itself. */
void log_line(enum log_level level, const char *who, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(who, ...) log_line(LOG_LEVEL_ERROR, who, __VA_ARGS__)
#define log_warning(who, ...) log_line(LOG_LEVEL_WARNING, who, __VA_ARGS__)
#define log_info(who, ...) log_line(LOG_LEVEL_INFO, who, __VA_ARGS__)

#endif
