#!/bin/sh
# $PROGRAM, a browser, which dies with whoever started it, however that ends: a test that is over kills its driver, and the browser would
# stay in its call.
exec setpriv --pdeathsig KILL "$PROGRAM" "$@"
