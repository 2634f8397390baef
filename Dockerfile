# The course in JupyterLab, as an ordinary user:
#     docker build -t approximate-training .
#     docker run --name course -p 127.0.0.1:8888:8888 approximate-training
# Your work stays in the container: `docker start -a course` goes on with it.
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home learner
ENV PIP_NO_CACHE_DIR=1 OMP_WAIT_POLICY=PASSIVE
WORKDIR /home/learner/course
COPY --chown=learner . .
RUN chown learner .
USER learner
RUN make setup
EXPOSE 8888
CMD [".venv/bin/python", "-m", "jupyterlab", "--ip=0.0.0.0", "--no-browser", \
     "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb"]
