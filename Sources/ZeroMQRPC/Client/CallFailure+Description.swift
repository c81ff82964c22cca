import ZeroMQ

extension CallFailure: CustomStringConvertible {
  /// What happened, and whether the call may be made again.
  public var description: String {
    let again = sent ? "the call may have run" : "the call was not sent"
    return "\(code.rawValue): \(what); \(again)"
  }

  private var what: String {
    switch code {
    case .noBackend: "no service is connected" + (reason.map { " (\($0.rawValue))" } ?? "")
    case .overloaded: "as many calls as are allowed are under way"
    case .memoryFull: "the memory that calls may take is used up"
    case .queueFull: "no service has room, and as many calls as may wait do"
    case .breakerOpen: "calls to each service failed again and again, so that they are left alone for a while"
    case .queueTimeout: "its time passed, and no service was connected or had room"
    case .timeout: "no reply came in its time"
    case .backendLost: "the connection was lost before the reply"
    case .badReply: "the reply cannot be read"
    case .replyTooLarge: "the reply is longer than is accepted"
    case .noName: "a call needs a name"
    case .closed: "the client is closed"
    default: "there is no reply"
    }
  }
}
