#!/bin/sh
# macOS: open it from Finder. It asks for a file, which can be dragged into its window.
exec sh "$(dirname -- "$0")/patunay.sh" "$@"
