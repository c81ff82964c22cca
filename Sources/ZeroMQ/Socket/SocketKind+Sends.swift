extension SocketKind {
  /// Whether messages can go. A SUB sends subscriptions only, which are no messages.
  var sends: Bool { self != .pull && self != .subscribe }
}
