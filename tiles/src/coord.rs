//! The address of a tile: zoom, column, row.

use std::fmt;
use std::str::FromStr;

/// The deepest zoom that a [`TileCoord`] can have.
pub const MAX_ZOOM: u8 = 22;

/// The address of a tile in the web Mercator pyramid: zoom, column from the
/// antimeridian eastwards, row from the north southwards. It can't hold a tile that
/// does not exist.
///
/// ```
/// use tiles::TileCoord;
/// let tile: TileCoord = "10/857/400".parse().unwrap();
/// assert_eq!((tile.z(), tile.x(), tile.y()), (10, 857, 400));
///
/// // Row and column lie below 2^z, and the zoom has an end.
/// assert!(TileCoord::new(1, 2, 0).is_err());
/// assert!(TileCoord::new(1, 0, 2).is_err());
/// assert!(TileCoord::new(23, 0, 0).is_err());
/// assert!("10/857".parse::<TileCoord>().is_err());
/// assert!("10/-1/400".parse::<TileCoord>().is_err());
/// assert!("10/857/400.5".parse::<TileCoord>().is_err());
/// assert_eq!(
///     TileCoord::new(3, 8, 0).unwrap_err().to_string(),
///     "there is no tile 3/8/0: at zoom 3 the columns and rows are 0 to 7"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileCoord {
    z: u8,
    x: u32,
    y: u32,
}

impl TileCoord {
    /// The tile of that zoom, column and row.
    ///
    /// # Errors
    ///
    /// Where there is no such tile.
    pub fn new(z: u8, x: u32, y: u32) -> Result<Self, TileCoordError> {
        if z > MAX_ZOOM {
            return Err(TileCoordError::Zoom { z: u32::from(z) });
        }
        if x >> z != 0 || y >> z != 0 {
            return Err(TileCoordError::OffTheMap { z, x, y });
        }
        Ok(Self { z, x, y })
    }

    /// The zoom.
    #[must_use]
    pub fn z(self) -> u8 {
        self.z
    }

    /// The column, from the antimeridian eastwards.
    #[must_use]
    pub fn x(self) -> u32 {
        self.x
    }

    /// The row, from the north southwards.
    #[must_use]
    pub fn y(self) -> u32 {
        self.y
    }

    /// Its place on the Hilbert curve through its zoom: tiles that follow each other lie side by
    /// side (the order of PMTiles; after Skilling 2004 and the usual walk by quadrants).
    #[must_use]
    pub fn along_hilbert(self) -> u64 {
        let (mut x, mut y, mut place) = (self.x, self.y, 0);
        for bit in (0..self.z).rev() {
            let side = 1u32 << bit;
            let (east, south) = (x & side != 0, y & side != 0);
            place = place << 2 | u64::from((3 * u8::from(east)) ^ u8::from(south));
            // What is left of the walk is turned as the quadrant is.
            if !south {
                if east {
                    (x, y) = (!x, !y);
                }
                (x, y) = (y, x);
            }
        }
        place
    }

    /// The four tiles that share this one's ground a zoom deeper; none below [`MAX_ZOOM`].
    pub fn children(self) -> impl Iterator<Item = Self> {
        let (z, x, y) = (self.z + 1, self.x * 2, self.y * 2);
        [(0, 0), (1, 0), (0, 1), (1, 1)].into_iter().filter_map(move |(i, j)| Self::new(z, x + i, y + j).ok())
    }
}

impl fmt::Display for TileCoord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.z, self.x, self.y)
    }
}

impl FromStr for TileCoord {
    type Err = TileCoordError;

    fn from_str(text: &str) -> Result<Self, TileCoordError> {
        let malformed = || TileCoordError::Malformed { text: text.chars().take(40).collect() };
        let mut parts = text.split('/').map(|part| part.parse::<u32>().map_err(|_| malformed()));
        let mut next = || parts.next().unwrap_or_else(|| Err(malformed()));
        let (z, x, y) = (next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(malformed());
        }
        Self::new(u8::try_from(z).map_err(|_| TileCoordError::Zoom { z })?, x, y)
    }
}

/// Why something is no tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TileCoordError {
    /// The zoom is deeper than [`MAX_ZOOM`].
    Zoom {
        /// The zoom that was asked for.
        z: u32,
    },
    /// The column or the row lies beyond the last.
    OffTheMap {
        /// The zoom.
        z: u8,
        /// The column that was asked for.
        x: u32,
        /// The row that was asked for.
        y: u32,
    },
    /// Not of the form `z/x/y` with whole numbers.
    Malformed {
        /// What stood there instead (its first 40 characters).
        text: String,
    },
}

impl fmt::Display for TileCoordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zoom { z } => write!(f, "there is no zoom {z}: zooms are 0 to {MAX_ZOOM}"),
            Self::OffTheMap { z, x, y } => {
                let last = (1u64 << z) - 1;
                write!(f, "there is no tile {z}/{x}/{y}: at zoom {z} the columns and rows are 0 to {last}")
            }
            Self::Malformed { text } => write!(f, "{text:?} is no tile: z/x/y in whole numbers is"),
        }
    }
}

impl std::error::Error for TileCoordError {}
