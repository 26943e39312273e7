#!/usr/bin/env bash
# Make a self-signed certificate: self-signed.sh FOLDER NAME,NAME…
# Does nothing while FOLDER has one for just these names that ends in more than 30 days;
# prints "made" when it made one.
set -euo pipefail
umask 077

cd "$1"
alternative=
for name in ${2//,/ }; do
    kind=DNS
    if [[ $name =~ ^[0-9.]+$ || $name == *:* ]]; then kind=IP; fi
    alternative+=${alternative:+,}$kind:$name
done
if [ "$(cat names 2>/dev/null)" = "$alternative" ] &&
    openssl x509 -in fullchain.pem -noout -checkend 2592000 >/dev/null 2>&1; then
    exit
fi
# 397 days: the longest that browsers accept.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 397 -sha256 \
    -subj "/CN=Tandem, self-signed" -addext "subjectAltName=$alternative" \
    -keyout privkey.new -out fullchain.new 2>/dev/null
chmod 640 privkey.new # nginx reads it by its group
chmod 644 fullchain.new
mv privkey.new privkey.pem
mv fullchain.new fullchain.pem
echo "$alternative" >names
echo made
