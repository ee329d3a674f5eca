#include "policy/number.h"

#include <stddef.h>

bool number_parse(const char *text, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;
	const char *c;

	if (*text == '\0')
		return false;
	for (c = text; *c != '\0'; c++) {
		uint64_t digit = (uint64_t)(unsigned char)*c - '0';

		if (digit > 9 || number > max / 10 || digit > max - number * 10)
			return false;
		number = number * 10 + digit;
	}
	*ret_number = number;
	return true;
}

const char *number_parse_as(const char *text, uint32_t *ret_as)
{
	uint64_t number;

	if (!number_parse(text, UINT32_MAX, &number))
		return "is no AS number (expected 1 .. 4294967294)";
	if (number == 0)
		return "is reserved and no router's AS number (RFC 7607)";
	if (number == 23456)
		return "is AS_TRANS, which stands for AS numbers of four "
		       "bytes and is no router's own (RFC 6793): write the "
		       "real one";
	if (number == 65535 || number == UINT32_MAX)
		return "is reserved and no router's AS number (RFC 7300)";
	*ret_as = (uint32_t)number;
	return NULL;
}
