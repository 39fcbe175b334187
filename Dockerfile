# Vestibule as an image: the product and its packages, built from the lock file alone.
#
#   docker build -t vestibule .
#   docker run --read-only --tmpfs /tmp --init -p 127.0.0.1:3000:3000 -v ./instance:/etc/vestibule vestibule
#
# `npx vestibule init ./instance` makes what is mounted; of it only data/ is written, and nothing else anywhere.
# `docker build --target demo` adds the portals and people of docker-compose.yml.

FROM node:24-slim AS packages
WORKDIR /srv/vestibule
COPY package.json package-lock.json .npmrc ./
# No package may run anything while it is installed. The only one that would is `node`, which brings the runtime to where
# there is none; here it is the image's own.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/node node_modules/.bin

# One start, for the compiled code it leaves: the file system is read-only later, and with it a start costs a quarter less.
# Node keeps it by path and user id and for that user's eyes, so it is made where and by whom it will be read, then opened.
FROM packages AS compiled
ENV NODE_ENV=production
COPY config config
COPY views views
COPY src src
RUN mkdir -p node_modules/.cache && chown 1000:1000 node_modules/.cache
USER 1000:1000
RUN node src/cli/bin.js init /tmp/instance \
  && VESTIBULE_CONFIG=/tmp/instance/config timeout --preserve-status 10 node src/cli/bin.js serve \
  && chmod -R a+rX node_modules/.cache

# Nothing runs in here while it is built, nor needs a shell, curl or a list of users later: any image with the same Node
# does as its base.
FROM node:24-slim AS runtime
WORKDIR /srv/vestibule
# Nobody can reach an address of the container's own loopback. Health and metrics stay there: HEALTHCHECK asks from within.
ENV NODE_ENV=production HOST=0.0.0.0 OPERATIONS_PORT=9464 VESTIBULE_CONFIG=/etc/vestibule/config
COPY --from=packages /srv/vestibule/node_modules node_modules
COPY package.json ./
COPY config config
COPY views views
COPY src src
COPY --from=compiled /srv/vestibule/node_modules/.cache node_modules/.cache
EXPOSE 3000
# Ready or not, as /health/ready says.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPERATIONS_PORT || 9464}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node is the first process and handles SIGTERM itself; `--init` helps commands that are ended with Ctrl-C.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "src/cli/bin.js"]
CMD ["serve"]
# The image's user `node`, by number: without a name to look up, it can be told that this isn't root.
USER 1000:1000

FROM runtime AS demo
COPY examples examples

FROM runtime AS vestibule
LABEL org.opencontainers.image.title="Vestibule" \
  org.opencontainers.image.description="A standalone OpenID Connect identity provider that an organisation hosts itself"
