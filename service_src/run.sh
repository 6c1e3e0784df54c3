#!/bin/sh
# How the Lambda Web Adapter starts the service: the function's handler is this file.
cd "$LAMBDA_TASK_ROOT" && exec python3 -m service_src
