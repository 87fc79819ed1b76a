#!/bin/sh
# The plan's chunks by curl: chunks.sh SESSION_URL TOKEN FILE MEMORY. MEMORY is where it notes what was acknowledged.
set -eu
url=$1 token=$2 file=$3 memory=$4
session=$(curl -sSf -H "Authorization: token $token" "$url")
size=$(echo "$session" | sed 's/.*"chunk_size":\([0-9]*\).*/\1/')
total=$((($(stat -c %s "$file") + size - 1) / size))
touch "$memory"
index=0
while [ $index -lt $total ]; do
  if ! grep -qx $index "$memory"; then
    tail -c +$((index * size + 1)) "$file" | head -c "$size" |
      curl -sSf -o /dev/null --data-binary @- -H "Authorization: token $token" \
        -H 'Content-Type: application/octet-stream' -H "X-Chunk-Index: $index" -H "X-Total-Chunks: $total" \
        -H "X-File-Name: $(basename "$file")" -H 'X-File-Type: data' "$url/chunks"
    echo $index >>"$memory"
  fi
  index=$((index + 1))
done
