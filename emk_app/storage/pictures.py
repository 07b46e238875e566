"""Pictures inside the sandbox: decoded to pixels, turned upright, written anew."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from PIL import ExifTags, Image, ImageChops, JpegImagePlugin, PngImagePlugin

# Imported for good before the process is sealed off: Pillow itself imports it only on meeting EXIF.
from PIL import TiffImagePlugin as TiffImagePlugin

from emk_app.domain.documents import check_pixels

QUALITY: Final = 90
PREVIEW_SIDE: Final = 1200
PREVIEW_QUALITY: Final = 80

_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by its EXIF orientation (EXIF 2.32, tag 0x0112)."""

_MEASURED_SIDE: Final = 256
_MOST_COLOURFUL: Final = 0.05
_ALIKE: Final = 2


def warm_up() -> None:
    """Import everything that Pillow would import on first use."""
    Image.preinit()
    # Our own limit is checked before a pixel is decoded; Pillow's laxer one never comes to speak.
    Image.MAX_IMAGE_PIXELS = None


def decode(content: bytes) -> Image.Image:
    """Return a JPEG's pixels, upright, in a new image that carries nothing else.

    Gray stays gray, everything else becomes RGB; a colour profile is dropped without conversion:
    papers do not need it, and a profile is one more program text of a stranger's. Of a file with
    several pictures (MPO) the first counts. Raises ``ScanTooManyPixels``; whatever else Pillow
    raises means that the file can't be read, a cut one included.
    """
    # The class and not Image.open, which would try other formats and the other pictures of an MPO.
    return _bare(JpegImagePlugin.JpegImageFile(BytesIO(content)))


def decode_png(content: bytes) -> Image.Image:
    """Return a PNG's pixels as ``decode`` does a JPEG's; what shone through becomes opaque."""
    return _bare(PngImagePlugin.PngImageFile(BytesIO(content)))


def _bare(picture: Image.Image) -> Image.Image:
    check_pixels(*picture.size)
    picture.load()
    orientation = _orientation(picture)
    pixels: Image.Image = picture if picture.mode in ("L", "RGB") else picture.convert("RGB")
    del picture
    if orientation in _UPRIGHT:
        pixels = pixels.transpose(_UPRIGHT[orientation])
    bare = Image.new(pixels.mode, pixels.size)
    bare.paste(pixels)
    return bare


def encode(picture: Image.Image, quality: int = QUALITY) -> bytes:
    """Return a JPEG of the pixels: no EXIF, no profile, no comment."""
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def scaled(picture: Image.Image, longest: int) -> Image.Image:
    """Return the picture with its longer side at most ``longest`` pixels."""
    width, height = picture.size
    if max(width, height) <= longest:
        return picture
    factor = longest / max(width, height)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def is_blank(picture: Image.Image) -> bool:
    """Say whether all pixels are alike: no paper looks so when scanned, not even an empty one."""
    for band in picture.split():
        counts = band.histogram()
        present = [value for value, count in enumerate(counts) if count]
        if present[-1] - present[0] > _ALIKE:
            return False
    return True


def saturation(picture: Image.Image) -> float:
    """Return how coloured the most colourful twentieth of the picture is, in percent.

    The mean over the whole would call a white sheet with a blue stamp gray. Colourfulness is the
    distance between the largest and the smallest of red, green and blue: unlike the S of HSV it
    does not take the noise of dark pixels for colour.
    """
    if picture.mode != "RGB":
        return 0.0
    small = picture.resize(
        (min(picture.width, _MEASURED_SIDE), min(picture.height, _MEASURED_SIDE)),
        Image.Resampling.BOX,
    )
    red, green, blue = small.split()
    brightest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    darkest = ImageChops.darker(ImageChops.darker(red, green), blue)
    counts = ImageChops.subtract(brightest, darkest).histogram()
    wanted = left = max(1, round(sum(counts) * _MOST_COLOURFUL))
    total = 0
    for value in range(255, -1, -1):
        taken = min(left, counts[value])
        total += taken * value
        left -= taken
    return 100 * total / (255 * wanted)


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        # EXIF is a stranger's, and the parser answers damage with anything from SyntaxError to
        # OverflowError; a picture that can't say how it lies is shown as it is.
        return 1
