import CMicroHTTPD
import Logging
import Reactor

/// A request coming in, as libmicrohttpd hands it over piece by piece.
extension Exchange {
  /// The request line is there. Called before anything was taken apart in place.
  func beginRequest(_ target: UnsafePointer<CChar>?) {
    guard phase == .waiting else { return }
    phase = .head
    isOpen = true
    server.requestBegan()
    rawTarget.clear()
    content.clear()
    if let target {
      rawTarget.append(target, strlen(target))
      hideQuery(target)
    }
    watcher?.expect(within: server.readTime)
  }

  /// Ends the string behind the question mark. libmicrohttpd would enter each query argument into the connection's memory,
  /// and drop the client without an answer when there is no more; the router reads the query from `target`.
  private func hideQuery(_ target: UnsafePointer<CChar>) {
    guard let mark = memchr(target, 0x3F, rawTarget.count) else { return }
    mark.storeBytes(of: 0, toByteOffset: 1, as: UInt8.self)
  }

  /// libmicrohttpd's handler: called with the head, with each piece of the body, and at the end.
  func advance(_ line: HeadValidator.RequestLine, _ data: UnsafePointer<CChar>?, _ size: inout Int) -> Bool {
    switch phase {
    case .head:
      acceptHead(line)
      return true
    case .body where size > 0:
      if let data { receive(data, size) }
      size = 0
      return true
    case .body:
      return complete()
    case .lingering, .answered:
      defer { size = 0 }
      return size > 0
    case .waiting, .handling, .dropped:
      return false
    }
  }

  private func acceptHead(_ line: HeadValidator.RequestLine) {
    method = HTTPMethod(UnsafeRawBufferPointer(start: line.method, count: line.methodLength))
    bodyLimit = server.options.bodyLimit
    table.clear()
    if let refusal = inspect(line) { return refuse(refusal) }
    server.handler.begin(self)
    guard phase == .head else { return }
    if let declared = declaredLength, declared > bodyLimit { return refuse(.bodyTooLarge(bodyLimit)) }
    phase = .body
    watcher?.expect(within: server.readTime)
  }

  private func receive(_ data: UnsafePointer<CChar>, _ size: Int) {
    guard content.count + size <= bodyLimit else { return refuse(.bodyTooLarge(bodyLimit)) }
    content.append(data, size)
    // At least 1 KiB a second after the first seconds; measured over the whole body, so that no byte resets it.
    watcher?.credit(bytes: size)
  }

  /// Hands the request over; false when the connection is to be closed.
  private func complete() -> Bool {
    phase = .handling
    watcher?.expect(within: nil)
    server.handler.handle(self)
    guard phase == .handling else { return phase != .dropped }
    isSuspended = true
    MHD_suspend_connection(connection)
    if watcher?.isHalfClosed == true { watcher?.expect(within: server.graceTime) }
    return true
  }

  /// Lets the handler answer a request the server will not pass on.
  func refuse(_ refusal: Rejection) {
    server.logger.debug("request refused", metadata: ["code": "\(refusal.code)", "detail": "\(refusal.detail)"])
    server.handler.refused(self, refusal)
    guard !isAnswered else { return }
    respond(refusal.status, contentType: "", body: UnsafeRawBufferPointer(start: nil, count: 0))
  }
}
