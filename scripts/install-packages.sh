#!/usr/bin/env bash
# Installs the Debian packages of scripts/packages.txt that are missing; does nothing when none is. With --with-servers
# also those of scripts/packages-servers.txt, without which the tests that need Kafka, HDFS or S3 are skipped.
set -euo pipefail
cd "$(dirname "$0")"

lists=(packages.txt)
case ${1:-} in
  "") ;;
  --with-servers) lists+=(packages-servers.txt) ;;
  *) echo "usage: scripts/install-packages.sh [--with-servers]" >&2 && exit 64 ;;
esac

missing=()
while read -r package; do
  [[ -z $package || $package == \#* ]] && continue
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done < <(cat "${lists[@]}")
if ((${#missing[@]} == 0)); then
  echo "packages: all installed"
  exit 0
fi

echo "packages: installing ${missing[*]}"
if ((EUID == 0)); then
  as_root=(env)
elif command -v sudo >/dev/null; then
  as_root=(sudo)
else
  echo "error: packages are missing; as root, run: apt-get install ${missing[*]}" >&2
  exit 1
fi
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends "${missing[@]}"
