/// How far a transport is.
enum TransportPhase {
  case open
  /// What waits is still sent.
  case closing
  /// `connectionLost` is on its way.
  case ending
  /// It was told, and others cannot bind yet to what the transport was bound to.
  case leaving
  case ended
}
