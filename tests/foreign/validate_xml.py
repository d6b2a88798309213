"""An XSD validator of another maker: does it take what is named *.taken.xml in a folder, and refuse what is named *.refused.xml?"""

import pathlib
import sys

import xmlschema

schema = xmlschema.XMLSchema(sys.argv[1])
messages = sorted(pathlib.Path(sys.argv[2]).iterdir())
wrong = [m for m in messages if schema.is_valid(str(m)) != m.name.endswith(".taken.xml")]
for message in wrong:
    reason = next((error.reason for error in schema.iter_errors(str(message))), "it is valid")
    print(f"{message.name}: {reason}\n{message.read_text()}", file=sys.stderr)
if wrong:
    sys.exit(1)
print(f"{len(messages)} messages, all agreed")
