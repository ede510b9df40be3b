#!/usr/bin/env bash
# missing.sh: stands for an example that cannot be built here, and says why.
echo "skipped: $1"
exit 77
