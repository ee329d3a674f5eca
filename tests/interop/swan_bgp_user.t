#!/bin/bash
# Issue 3: swan_bgp.t once more, with our user plane towards its kernel ESP.
export WARD_PLANE=user BGP_CASE="BIRD, bgpward's user plane"
. "$(dirname "$0")/swan_bgp.t"
