/* What we say of ourselves and ask of the peer: ID, CERT, CERTREQ. */
#include "ike/exchanges.h"

void auth_write_id(const struct ike *ike, struct writer *writer)
{
	const struct in6_addr *local = &ike->config.local;
	bool v4 = IN6_IS_ADDR_V4MAPPED(local);

	write_u8(writer, v4 ? IKE_ID_IPV4_ADDR : IKE_ID_IPV6_ADDR);
	write_u8(writer, 0);
	write_u16(writer, 0);
	write_bytes(writer, local->s6_addr + (v4 ? 12 : 0), v4 ? 4 : 16);
}

void auth_write_certs(const struct ike *ike, struct writer *writer)
{
	for (size_t i = 0; i < ike->config.certs_count; i++) {
		write_payload(writer, IKE_PAYLOAD_CERT);
		write_u8(writer, IKE_CERT_X509_SIGNATURE);
		write_view(writer, ike->config.certs[i]);
	}
}

void auth_write_certreq(const struct ike *ike, struct writer *writer)
{
	if (ike->config.anchors_count == 0)
		return;
	write_payload(writer, IKE_PAYLOAD_CERTREQ);
	write_u8(writer, IKE_CERT_X509_SIGNATURE);
	for (size_t i = 0; i < ike->config.anchors_count; i++)
		write_bytes(writer, ike->config.anchors[i],
			    sizeof(ike->config.anchors[i]));
}
