/* The Internet checksum (RFC 1071) of TCP over IPv4 and IPv6. */
#ifndef SIDECAR_CHECKSUM_H
#define SIDECAR_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Add bytes to a running sum. All pieces but the last have an even length. */
uint64_t checksum_add(uint64_t sum, const void *bytes, size_t len);

/* The addresses of an IP header, the protocol TCP and the length of the TCP
 * segment (RFC 9293 3.1, RFC 8200 8.1). */
uint64_t checksum_pseudo(const uint8_t *ip_header, size_t tcp_len);

/* The sum itself, and what goes into the header's field; network order. */
uint16_t checksum_fold(uint64_t sum);
uint16_t checksum_finish(uint64_t sum);
/* Write what goes into the field. */
void checksum_put(uint8_t *field, uint64_t sum);

#endif
