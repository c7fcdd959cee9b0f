# tuner with its example sweep, for one machine or as a driver beside PostgreSQL and MLflow (compose.yaml).
#   docker build -t tuner . && docker run --rm -v "$PWD/work:/work" tuner run /opt/tuner/search_spaces/housing.yaml
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libtcmalloc-minimal4 && rm -rf /var/lib/apt/lists/*
COPY . /opt/tuner
RUN pip install --no-cache-dir '/opt/tuner[postgres]' && rm -rf /opt/tuner/build
RUN useradd --create-home tuner && mkdir /work && chown tuner /work
USER tuner
WORKDIR /work
ENTRYPOINT ["tuner"]
CMD ["--help"]
