"""Draws from everything that is random by default, one draw a line."""

import multiprocessing
import os
import random
import secrets
import tempfile
import uuid

# Stand-ins, see `independent.rs`.
import numpy.random
import torch

print("random", random.random(), random.getrandbits(64))
print("choice", random.sample(range(10**9), 3))
print("new", random.Random().random())
print("system", random.SystemRandom().random())
print("secrets", secrets.token_hex())
print("urandom", os.urandom(16).hex())
print("uuid4", uuid.uuid4())
print("uuid1", uuid.uuid1())
print("temp", tempfile.mktemp())
print("names", next(tempfile._get_candidate_names()))
print("authkey", bytes(multiprocessing.current_process().authkey).hex())
print("numpy", numpy.random.random())
print("torch", torch.initial_seed())
print("torch", torch.rand())
