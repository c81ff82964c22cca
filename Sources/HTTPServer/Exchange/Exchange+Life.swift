import CLinux
import CMicroHTTPD
import Reactor

/// How a request ends: complete, out of time, or because one side went away.
extension Exchange {
  /// libmicrohttpd is done with the request; the connection may see another.
  func endRequest() {
    guard isOpen else { return }
    isOpen = false
    releaseRequest()
    isSuspended = false
    rawTarget.clear()
    content.clear()
    answer.clear()
    server.requestEnded()
    guard phase != .dropped else { return }
    phase = .waiting
    watcher?.expect(within: server.idleTime, periodic: true)
  }

  /// The connection is about to be closed: nothing follows.
  func close() {
    endRequest()
    phase = .dropped
    watcher?.cancel()
    watcher = nil
    context = nil
  }

  /// Ends the connection without any more of an answer. libmicrohttpd does the rest in its next run.
  func drop() {
    guard phase != .dropped else { return }
    releaseRequest()
    phase = .dropped
    watcher?.expect(within: nil)
    shutdown(descriptor, CInt(SHUT_RDWR))
    resume()
  }

  /// Tells the handler, once, that the answer or the stream it owes has no taker any more.
  private func releaseRequest() {
    if phase == .handling {
      phase = .answered
      server.handler.abandoned(self)
    }
    if let stream {
      self.stream = nil
      stream.closed()
    }
  }

  func resume() {
    guard isSuspended else { return }
    isSuspended = false
    MHD_resume_connection(connection)
    server.schedule()
  }

  /// A deadline has passed.
  func expired() {
    switch phase {
    case .waiting, .head, .lingering:
      shutdown(descriptor, CInt(SHUT_RDWR))
    case .body:
      refuse(.timeout)
    case .handling:
      drop()
    case .answered, .dropped:
      break
    }
  }

  /// Both directions are gone.
  func hungUp() {
    switch phase {
    case .handling: drop()
    case .answered: if stream != nil { drop() }
    case .waiting, .head, .body, .lingering, .dropped: break
    }
  }

  /// The client sends no more. One that waits for an answer may still read it; one that reads a stream has left.
  func halfClosed() {
    switch phase {
    case .handling: watcher?.expect(within: server.graceTime)
    case .answered: if stream != nil { drop() }
    case .waiting, .head, .body, .lingering, .dropped: break
    }
  }

  /// libmicrohttpd asks for more of the stream.
  func read(into room: UnsafeMutableRawBufferPointer) -> Int {
    guard phase == .answered, let stream else { return cmhd_broken_stream() }
    wasWoken = false
    isReading = true
    let read = stream.read(into: room)
    isReading = false
    switch read {
    case .bytes(let count) where count > 0 && count <= room.count && phase == .answered:
      return count
    case .nothing where phase == .answered:
      isSuspended = true
      MHD_suspend_connection(connection)
      // Woken while it was read: that wake-up must not be lost.
      if wasWoken { resume() }
      return 0
    case .end:
      return cmhd_end_of_stream()
    case .bytes, .nothing:
      return cmhd_broken_stream()
    }
  }
}

/// The content reader handed to libmicrohttpd.
func readStream(
  _ owner: UnsafeMutableRawPointer?, _ position: UInt64, _ room: UnsafeMutablePointer<CChar>?, _ count: Int
) -> Int {
  guard let owner, let room else { return cmhd_broken_stream() }
  let exchange = Unmanaged<Exchange>.fromOpaque(owner).takeUnretainedValue()
  return exchange.read(into: UnsafeMutableRawBufferPointer(start: room, count: count))
}
