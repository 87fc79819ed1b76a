#!/bin/sh
# A form by curl: form.sh SESSION_URL TOKEN FILE. It cannot be resumed, so all of it is sent again.
set -eu
exec curl -sSf -o /dev/null -H "Authorization: token $2" -F "file=@$3" "$1/files"
