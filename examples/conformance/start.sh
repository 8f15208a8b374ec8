#!/bin/sh
# Makes a node for the public conformance suites in the new directory DIR, with an issuer
# for each suite, and serves it over https on port 8460. docs/conformance.md says the rest.
# For tests on one machine alone: its passphrase stands below, its certificate is its own.
#
#     examples/conformance/start.sh DIR
set -eu
dir=${1:?"say where to make the node"}
export PATUNAY_HOME="$dir" PATUNAY_PASSPHRASE="conformance tests only"

patunay init "$dir" --domain localhost:8460 --public-url https://localhost:8460 \
    --did-method key --name "Conformance tests"
openssl req -x509 -newkey ed25519 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout "$dir/tls.key" -out "$dir/tls.crt" 2>/dev/null
chmod 600 "$dir/tls.key"
sed -i -e 's/^tls_certificate_file = .*/tls_certificate_file = "tls.crt"/' \
    -e 's/^tls_key_file = .*/tls_key_file = "tls.key"/' "$dir/patunay.toml"

for slug in vc-data-model eddsa-rdfc status-list vc-api; do
    patunay issuer add "$slug" --name "$slug"
done
patunay issuer add eddsa-jcs --name eddsa-jcs --cryptosuite eddsa-jcs-2022
patunay token create suites --role signer > "$dir/token"
patunay issuer list
exec patunay serve
