"""What perception sees in pictures, videos and recordings: as JSON, as a table, as a drawing."""

import os

# OpenCV reads these when it is loaded: its and FFmpeg's own complaints would bury the one line that the user needs, and
# a picture that would fill the memory is refused before it does
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 27))
