# A small image with nothing in it but hranad and the C library, run by an ordinary user.
#
#   docker build --tag hranad .
#   docker run --publish 8080:8080 --volume hranad:/data hranad
#
# Whoever can reach the port needs the API token, which is made at the first start:
#   docker run --rm --volume hranad:/data busybox cat /data/api-token

FROM rust:1-slim-bookworm AS build
WORKDIR /hranad
COPY . .
RUN cargo build --release --locked --bin hranad \
 && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /hranad/target/release/hranad /usr/local/bin/hranad
# A new volume takes its owner from the directory that it is mounted over.
COPY --from=build --chown=65532:65532 /data /data
# SQLite sorts what does not fit into memory in files, which it deletes at once. Beside the data there is
# room for them, and the rest of the file system may be read-only.
ENV HRANAD_LISTEN=0.0.0.0:8080 \
    HRANAD_DATA_DIR=/data \
    SQLITE_TMPDIR=/data
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/hranad", "health"]
ENTRYPOINT ["/usr/local/bin/hranad"]
