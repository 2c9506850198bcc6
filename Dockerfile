# One stage, from nothing: `make image` builds the static binary first and
# gives only that to the engine, so nothing has to be pulled.
FROM scratch
COPY ferry /ferry
ENV FERRY_DATA=/data \
    FERRY_LISTEN=0.0.0.0:7700 \
    FERRY_GOSSIP=0.0.0.0:7701 \
    FERRY_HTTP=0.0.0.0:7702
VOLUME /data
EXPOSE 7700 7701/tcp 7701/udp 7702
HEALTHCHECK --interval=2s --timeout=3s --start-period=20s --retries=5 CMD ["/ferry", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/ferry"]
CMD ["server"]
