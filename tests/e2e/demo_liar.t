#!/bin/bash
# The demo believes what it sees: with the same programs, but a status that
# counts no stranger, one claim fails, it says which, and ends with status 1.
. "$(dirname "$0")/lib.sh"
user_only 'what it shows does not depend on the plane'

mkdir "$WORK/liar"
ln -s "$BUILD/bgpwardd" "$WORK/liar/bgpwardd"
cat > "$WORK/liar/bgpward" <<END
#!/bin/bash
set -o pipefail
"$BUILD/bgpward" "\$@" | sed 's/"not_a_peer": [0-9]*/"not_a_peer": 0/'
END
chmod +x "$WORK/liar/bgpward"
BUILD=$WORK/liar "$E2E/demo" > "$WORK/story" 2>&1
is $? 1 'with a claim that does not hold it ends with status 1'
is "$(grep -c '^FAILED  ' "$WORK/story")" 1 'it says which'
ok 'the right one' grep -q '^FAILED  a stranger gets nothing' "$WORK/story"
more "$(grep -c '^held    ' "$WORK/story")" 12 'and the others held'
done_testing
