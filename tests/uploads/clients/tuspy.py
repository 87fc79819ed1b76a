"""tuspy, as its README has it: ``python tuspy.py COLLECTION TOKEN FILE MEMORY`` (see tusjs.mjs), with a checksum for
each chunk.
"""

import os
import sys

from tusclient.client import TusClient
from tusclient.storage.filestorage import FileStorage

collection, token, path, memory = sys.argv[1:]
client = TusClient(collection, headers={"Authorization": f"token {token}"})
uploader = client.uploader(
    path,
    chunk_size=4 * 1024 * 1024,
    metadata={"filename": os.path.basename(path)},
    store_url=True,
    url_storage=FileStorage(memory),
    upload_checksum=True,
    retries=5,
    retry_delay=1,
)
uploader.upload()
