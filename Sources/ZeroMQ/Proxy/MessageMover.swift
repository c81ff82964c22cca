/// Who takes a socket's messages and gives it others, in place of its delegate. All on the loop's thread.
protocol MessageMover: AnyObject {
  /// A bounded piece of work, in a turn of the socket.
  func move()
  /// Whether there is something to move. Asked before the loop sleeps; it has to look at the readiness of each socket it uses.
  func canMove() -> Bool
  /// The socket has closed, perhaps for an error.
  func socketClosed()
}
