# shellcheck shell=bash
# Certificates by the openssl command, for what `bgpward init` would not make:
# wrong, expired, of the wrong issuer. In $WORK/pki; sourced after lib.sh.

PKI=$WORK/pki
mkdir -p "$PKI"

# The kind of the keys, as words of `openssl req -newkey`
CERT_KEY='ec -pkeyopt ec_paramgen_curve:P-256'

# rfc3779 AS ADDRESS...: the two extensions
rfc3779() {
	local address blocks=''
	echo "sbgp-autonomousSysNum = critical, AS:$1"
	shift
	for address; do
		case $address in
		*:*) blocks+=",IPv6:$address/128" ;;
		*) blocks+=",IPv4:$address/32" ;;
		esac
	done
	echo "sbgp-ipAddrBlock = critical$blocks"
}

# cert_ca NAME AS ADDRESS...: $PKI/NAME.crt and .key
cert_ca() {
	local name=$1
	shift
	{
		printf '[req]\ndistinguished_name = dn\n[dn]\n[ca]\n'
		echo 'basicConstraints = critical, CA:true'
		echo 'keyUsage = critical, keyCertSign, cRLSign'
		echo 'subjectKeyIdentifier = hash'
		rfc3779 "$@"
	} > "$PKI/$name.cnf"
	# shellcheck disable=SC2086 # words
	openssl req -x509 -newkey $CERT_KEY -nodes \
		-keyout "$PKI/$name.key" -out "$PKI/$name.crt" -days 30 \
		-subj "/CN=$name" -config "$PKI/$name.cnf" -extensions ca \
		2>> "$PKI/log" || bail_out "openssl: $(tail "$PKI/log")"
}

# cert_router NAME CA FROM TO AS ADDRESS...: $PKI/NAME.crt and .key, valid
# FROM .. TO in words that date(1) knows
cert_router() {
	local name=$1 ca=$2 from=$3 to=$4 san=''
	shift 4
	printf -v san ',IP:%s' "${@:2}"
	{
		printf '[req]\ndistinguished_name = dn\n[dn]\n'
		printf '[ca]\ndefault_ca = it\n[it]\nnew_certs_dir = %s\n' "$PKI"
		printf 'database = %s/%s.db\nrand_serial = yes\n' "$PKI" "$name"
		printf 'default_md = sha256\npolicy = any\n'
		printf '[any]\ncommonName = supplied\n[ext]\n'
		echo "${CERT_USE:-keyUsage = critical, digitalSignature}"
		echo 'authorityKeyIdentifier = keyid'
		echo "subjectAltName = ${san#,}"
		rfc3779 "$@"
	} > "$PKI/$name.cnf"
	: > "$PKI/$name.db"
	# shellcheck disable=SC2086 # words
	openssl req -new -newkey $CERT_KEY -nodes \
		-keyout "$PKI/$name.key" -out "$PKI/$name.csr" \
		-subj "/CN=$name" -config "$PKI/$name.cnf" 2>> "$PKI/log" ||
		bail_out "openssl req: $(tail "$PKI/log")"
	openssl ca -batch -notext -config "$PKI/$name.cnf" -extensions ext \
		-cert "$PKI/$ca.crt" -keyfile "$PKI/$ca.key" \
		-startdate "$(date -u -d "$from" +%Y%m%d%H%M%SZ)" \
		-enddate "$(date -u -d "$to" +%Y%m%d%H%M%SZ)" \
		-in "$PKI/$name.csr" -out "$PKI/$name.crt" 2>> "$PKI/log" ||
		bail_out "openssl: $(tail "$PKI/log")"
	chmod 0600 "$PKI/$name.key"
}

# cert_sub NAME CA AS ADDRESS...: a CA below another
cert_sub() {
	local name=$1 ca=$2
	shift 2
	CERT_USE='basicConstraints = critical, CA:true
		keyUsage = critical, keyCertSign, cRLSign
		subjectKeyIdentifier = hash' \
		cert_router "$name" "$ca" '1 day ago' '20 days' "$@"
}

# cert_crl CA UNTIL [CERTIFICATE...]: $PKI/CA.crl, with these revoked; as of now,
# or CRL_FROM
cert_crl() {
	local ca=$1 until=$2 cert
	shift 2
	{
		printf '[ca]\ndefault_ca = it\n[it]\ncertificate = %s.crt\n' "$PKI/$ca"
		printf 'database = %s.crl.db\ndefault_md = sha256\n' "$PKI/$ca"
		printf 'crl_extensions = ext\n[ext]\n'
		echo 'authorityKeyIdentifier = keyid'
	} > "$PKI/$ca.crl.cnf"
	: > "$PKI/$ca.crl.db"
	for cert; do
		openssl ca -config "$PKI/$ca.crl.cnf" -keyfile "$PKI/$ca.key" \
			-revoke "$PKI/$cert.crt" 2>> "$PKI/log" ||
			bail_out "openssl: $(tail "$PKI/log")"
	done
	openssl ca -config "$PKI/$ca.crl.cnf" -keyfile "$PKI/$ca.key" -gencrl \
		-crl_lastupdate "$(date -u -d "${CRL_FROM:-now}" +%Y%m%d%H%M%SZ)" \
		-crl_nextupdate "$(date -u -d "$until" +%Y%m%d%H%M%SZ)" \
		-out "$PKI/$ca.crl" 2>> "$PKI/log" ||
		bail_out "openssl: $(tail "$PKI/log")"
}
