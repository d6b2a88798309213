#!/bin/sh
# Firefox, which dies with whoever started it: a test that is over kills its driver, and puppeteer would leave the browser in its call.
exec setpriv --pdeathsig KILL "${FIREFOX:-/usr/bin/firefox-esr}" "$@"
