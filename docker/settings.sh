#!/usr/bin/env bash
# Check every setting of .env (a variable of the shell wins) against the kind that its
# comment names [in brackets].  Prints one sentence a mistake; exits 1 on any.
set -euo pipefail
cd "$(dirname "$0")/.."

bad=0
complain() { echo "tandem: $*" >&2; bad=1; }

within() { # VALUE LOW HIGH
    [[ $1 =~ ^[0-9]{1,9}$ ]] || return 1
    ((10#$1 >= $2 && 10#$1 <= $3))
}

check() { # NAME VALUE KIND LINE
    local name=$1 value=$2 kind=$3 where=".env:$4" low high
    [ -z "${!name+set}" ] || where="the environment"
    case $kind in
    port) within "$value" 1 65535 ||
        complain "$where: $name must be a port from 1 to 65535, got '$value'." ;;
    count\ *)
        low=${kind#count } high=${low#*-} low=${low%-*}
        within "$value" "$low" "$high" ||
            complain "$where: $name must be a whole number from $low to $high, got '$value'."
        ;;
    name) [[ $value =~ ^[a-z0-9][a-z0-9_-]*$ ]] ||
        complain "$where: $name must be lower-case letters, digits, - and _, got '$value'." ;;
    names) [[ $value =~ ^[a-z0-9:][a-z0-9.:-]*(,[a-z0-9:][a-z0-9.:-]*)*$ ]] ||
        complain "$where: $name must be host names separated by commas, without spaces, each in full, got '$value'." ;;
    networks) [[ $value =~ ^([0-9a-fA-F.:/]+(,[0-9a-fA-F.:/]+)*)?$ ]] ||
        complain "$where: $name must be networks such as 10.0.0.0/8 or 2001:db8::/32, separated by commas, got '$value'." ;;
    paths) [[ $value =~ ^(/[A-Za-z0-9._~/-]*(,/[A-Za-z0-9._~/-]*)*)?$ ]] ||
        complain "$where: $name must be paths such as /enter/, separated by commas, got '$value'." ;;
    address) [[ $value =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] ||
        complain "$where: $name must be an IPv4 address such as 127.0.0.1, got '$value'." ;;
    *) [[ "|$kind|" == *"|$value|"* ]] ||
        complain "$where: $name must be one of ${kind//|/, }, got '$value'." ;;
    esac
}

number=0 kind="" seen=" "
while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    case $line in
    \#*) if [[ $line =~ \[([^]]+)\]$ ]]; then kind=${BASH_REMATCH[1]}; fi ;;
    "") kind="" ;;
    *=*)
        name=${line%%=*}
        if [ -z "$kind" ]; then
            complain ".env:$number: $name has no comment that ends with the [kind] of its value; is it misspelt, or was its comment removed?"
        else
            grep -q "\${${name}[}:-]" compose.yaml || [ "$name" = COMPOSE_PROJECT_NAME ] ||
                complain ".env:$number: $name is not a setting of Tandem; is it misspelt?"
            check "$name" "${!name-${line#*=}}" "$kind" "$number"
            seen+="$name "
        fi
        ;;
    *) complain ".env:$number: expected NAME=value, got '$line'." ;;
    esac
done <.env
# Names in ${…} without a default must come from .env.
for name in $(grep -o '\${[A-Z_]*}' compose.yaml | tr -d '${}' | sort -u); do
    [[ $seen == *" $name "* ]] || complain ".env: $name is missing; 'git diff .env' shows what it was."
done
drain=${SOCKET_DRAIN_SECONDS-$(sed -n 's/^SOCKET_DRAIN_SECONDS=//p' .env)} stop=${STOP_SECONDS-$(sed -n 's/^STOP_SECONDS=//p' .env)}
[ "$bad" = 1 ] || ((drain + 30 <= stop)) ||
    complain ".env: STOP_SECONDS ($stop) must be at least 30 more than SOCKET_DRAIN_SECONDS ($drain)."
exit "$bad"
