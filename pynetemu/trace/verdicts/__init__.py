"""Why a packet ended where it did, with what proves it."""
