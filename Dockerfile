# The image of the agent: Node.js, the libraries it needs and one file, on nothing else. No shell and no package manager.
# Build it with `docker build -t registry.example/prunelet:0.1.0 .`; scripts/image.sh builds the same without Docker.
#
# It runs as user 0, because the container runtime's socket belongs to root; the chart takes everything else away from it
# (docs/security.md). Nothing in it is ever written: a read-only root filesystem is enough.
ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-bookworm AS build
WORKDIR /src
COPY package.json package-lock.json ./
# No install scripts: what the bundler needs comes ready-made, and Node.js is this image's own.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY src src
COPY scripts scripts
RUN node scripts/bundle.mjs \
 && sh scripts/image-root.sh "$(node -p process.execPath)" dist/prunelet.js /out

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="prunelet" \
      org.opencontainers.image.description="Node agent that removes container images and tags that nothing on the node needs any more" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /out/base/ /
COPY --from=build /out/agent/ /
# The C library keeps what was freed, for every thread on its own; told to give it back, the agent takes less.
ENV PATH=/usr/local/bin \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    MALLOC_ARENA_MAX=1 \
    MALLOC_TRIM_THRESHOLD_=131072
USER 0:0
WORKDIR /
EXPOSE 9095/tcp
ENTRYPOINT ["/usr/local/bin/prunelet"]
CMD ["run"]
