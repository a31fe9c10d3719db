# Sallyport in one image: `docker build -t sallyport .`

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY config config
COPY src src
RUN npm run build

# Nothing of it is compiled on the spot: the packages bring what they need for amd64 and arm64.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production \
    SALLYPORT_DATA_DIR=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY config config
COPY migrations migrations
COPY proto proto
COPY views views
COPY --from=build /app/dist dist
RUN chmod +x dist/cli/main.js \
    && ln -s /app/dist/cli/main.js /usr/local/bin/sallyport \
    && install -d -o node -g node -m 700 /data
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SALLYPORT_MANAGEMENT_PORT || 9090}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]
