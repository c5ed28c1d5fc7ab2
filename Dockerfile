# docker build -t cdr-exporter .
# docker run --rm --read-only --tmpfs /tmp -p 9887:9887 cdr-exporter demo
# docker run --read-only -v ./config.yaml:/config.yaml:ro -v cdr-data:/data -p 9887:9887 cdr-exporter
#
# BINARY=prebuilt takes what `make image-files` left in dist/image instead of compiling, so that the last stage can
# be built where no base image can be had; `make image-check` does.
ARG BINARY=build

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN GOARCH=$TARGETARCH make image-files

FROM scratch AS prebuilt
COPY dist/image/ /src/dist/image/

FROM ${BINARY} AS files

FROM scratch
LABEL org.opencontainers.image.title="cdr-exporter" \
      org.opencontainers.image.description="Counts call records of telephony providers for Prometheus and OpenTelemetry" \
      org.opencontainers.image.source="https://github.com/cdr-exporter/cdr-exporter" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=files /src/dist/image/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=files --chown=65532:65532 /src/dist/image/tmp /tmp
# The configuration is /config.yaml unless a flag says otherwise, so the ledger's default folder, data/ beside it, is this one.
COPY --from=files --chown=65532:65532 /src/dist/image/data /data
COPY --from=files /src/dist/image/cdr-exporter /cdr-exporter
USER 65532:65532
VOLUME /data
EXPOSE 9887
# With another --web.listen-address, give the check the same one.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/cdr-exporter", "healthcheck"]
ENTRYPOINT ["/cdr-exporter"]
