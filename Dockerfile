# GhostOS in a container, with its page on port 8501 of the container's own loopback.
#
#   docker build -t ghostos .
#   docker run --rm -it --network host -v ghostos-data:/data -v "$PWD:/agents:ro" -e OPENAI_API_KEY ghostos web my.py --headless
#
# Model-written code is confined inside of it, too: Docker's default profile lets through what that needs, if the kernel of
# the machine has Landlock. `docker run --rm ghostos doctor` says so; no --privileged and no added capability are needed.
FROM python:3.12-slim

COPY . /src/ghostos
RUN cd /src/ghostos \
    && pip install --no-cache-dir --constraint constraints.txt \
        ./libs/container ./libs/common ./libs/moss "./libs/ghostos[web]" \
    && rm -rf /src/ghostos \
    && useradd --create-home ghost \
    && install --directory --owner=ghost /data

USER ghost
ENV GHOSTOS_WORKSPACE=/data
WORKDIR /agents
ENTRYPOINT ["ghostos"]
CMD ["doctor"]
