#include "sidecar/checksum.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* One's complement addition does not mind the order of bytes (RFC 1071 2B),
 * nor the width: eight at a time, with the carry brought back. */
static uint64_t add_word(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

uint64_t checksum_add(uint64_t sum, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum = add_word(sum, word);
		at += sizeof(word);
	}
	word = 0;
	memcpy(&word, at, len);
	return add_word(sum, word);
}

uint64_t checksum_pseudo(const uint8_t *ip_header, size_t tcp_len)
{
	const uint32_t last[2] = {
		htonl((uint32_t)tcp_len), htonl(IPPROTO_TCP)
	};
	uint64_t sum;

	if (ip_header[0] >> 4 == 4)
		sum = checksum_add(0, ip_header + 12, 8);
	else
		sum = checksum_add(0, ip_header + 8, 32);
	return checksum_add(sum, last, sizeof(last));
}

uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & UINT16_MAX) + (sum >> 16);
	sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t checksum_finish(uint64_t sum)
{
	return (uint16_t)~checksum_fold(sum);
}

void checksum_put(uint8_t *field, uint64_t sum)
{
	const uint16_t value = checksum_finish(sum);

	memcpy(field, &value, sizeof(value));
}
