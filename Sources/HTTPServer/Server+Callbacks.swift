import CLinux
import CMicroHTTPD
import Logging

// What libmicrohttpd calls. Each function recovers its object and passes on; all run on the reactor's thread, inside
// the daemon's run.

func handleRequest(
  _ owner: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ target: UnsafePointer<CChar>?,
  _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ data: UnsafePointer<CChar>?,
  _ size: UnsafeMutablePointer<Int>?, _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
  guard let owner = context?.pointee, let target, let method, let version, let size else { return .NO }
  let exchange = Unmanaged<Exchange>.fromOpaque(owner).takeUnretainedValue()
  let line = HeadValidator.RequestLine(method: method, methodLength: strlen(method), target: target, version: version)
  return exchange.advance(line, data, &size.pointee) ? .YES : .NO
}

/// Called with the request line, before the target is taken apart; what it returns is the request's context.
func beginRequest(
  _ owner: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?, _ connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
  guard let connection, let owner = cmhd_owner(connection) else { return nil }
  Unmanaged<Exchange>.fromOpaque(owner).takeUnretainedValue().beginRequest(target)
  return owner
}

func endRequest(
  _ owner: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
  _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ code: MHD_RequestTerminationCode
) {
  guard let owner = context?.pointee else { return }
  Unmanaged<Exchange>.fromOpaque(owner).takeUnretainedValue().endRequest()
}

func notifyConnection(
  _ owner: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
  _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ code: MHD_ConnectionNotificationCode
) {
  guard let owner, let connection, let context else { return }
  let server = Unmanaged<Server>.fromOpaque(owner).takeUnretainedValue()
  if let opened = context.pointee {
    context.pointee = nil
    server.forget(Unmanaged<Exchange>.fromOpaque(opened).takeUnretainedValue())
  } else {
    // The server holds the exchange until the connection is closed.
    context.pointee = Unmanaged.passUnretained(server.open(connection)).toOpaque()
  }
}

func logMessage(_ owner: UnsafeMutableRawPointer?, _ format: UnsafePointer<CChar>?, _ arguments: CVaListPointer?) {
  guard let owner, let format, let arguments else { return }
  let logger = Unmanaged<Server>.fromOpaque(owner).takeUnretainedValue().logger
  guard logger.logLevel <= .debug else { return }
  let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { room -> String in
    guard let start = room.baseAddress, vsnprintf(start, room.count, format, arguments) >= 0 else { return "" }
    return String(cString: start)
  }
  logger.debug("libmicrohttpd: \(text.split(separator: "\n").joined(separator: " "))")
}
