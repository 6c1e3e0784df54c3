# Starts app.py for the CDK CLI, with the Python of this checkout if there is one, else the active one.
JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION
python=.venv/bin/python
[ -x "$python" ] || python=python3
if ! "$python" -c 'import importlib.util as i, sys; sys.exit(not i.find_spec("aws_cdk"))'; then
    echo "aws-cdk-lib is not installed for $python; run: make install" >&2
    exit 1
fi
exec "$python" app.py
