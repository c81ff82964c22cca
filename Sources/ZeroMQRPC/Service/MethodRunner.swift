import Logging
import MessagePack

/// Runs methods for a service, on its reactor or beside it, and logs what the operator is to know of that.
final class MethodRunner: Sendable {
  /// Characters of an exception in the log.
  private static let longestText = 4_096

  private let pattern: CallPattern
  private let options: ServiceOptions
  private let limits: MessageLimits

  init(_ pattern: CallPattern, _ options: ServiceOptions) {
    self.pattern = pattern
    self.options = options
    limits = MessageLimits(options)
  }

  /// Runs a method that does not suspend.
  func run(
    _ body: (CallContext, BoundArguments) throws -> Value, of method: Method, for call: IncomingCall,
    _ context: CallContext
  ) -> Outcome {
    options.translators.use {
      do { return succeeded(call, try body(context, try call.arguments.bound(to: method.signature))) } catch {
        return failed(call, error)
      }
    }
  }

  /// Runs a method of either kind.
  func run(_ job: MethodCall) async -> Outcome {
    guard let translators = options.translators else { return await outcome(of: job) }
    return await translators.use { await outcome(of: job) }
  }

  private func outcome(of job: MethodCall) async -> Outcome {
    do {
      let arguments = try job.call.arguments.bound(to: job.method.signature)
      switch job.method.body {
      case .inline(let body): return succeeded(job.call, try body(job.context, arguments))
      case .concurrent(let body): return succeeded(job.call, try await body(job.context, arguments))
      }
    } catch {
      return failed(job.call, error)
    }
  }

  /// What a call comes to whose method is not there, or cannot be looked up.
  func notFound(_ call: IncomingCall, _ error: any Error) -> Outcome {
    let exception = RemoteException(wrapping: error)
    log(call, error, exception, isAboutTheCall: true)
    return .packing(exception, limits)
  }

  private func failed(_ call: IncomingCall, _ error: any Error) -> Outcome {
    if let unreadable = error as? PackedArguments.Unreadable {
      return .packing(unreadable.exception, limits, isMalformed: true)
    }
    let exception = RemoteException(wrapping: error)
    // What a method throws because it was cancelled says nothing new.
    if !Task.isCancelled { log(call, error, exception, isAboutTheCall: exception.isAboutTheCall) }
    return .packing(exception, limits)
  }

  private func succeeded(_ call: IncomingCall, _ value: Value) -> Outcome {
    if call.reply == nil, value != .nil {
      options.logger.warning(
        "\(pattern.name) handler returned not None",
        metadata: ["method": "\(call.name)", "result": "\(value.pythonType)"])
    }
    return .packing(value, limits)
  }

  private func log(_ call: IncomingCall, _ error: any Error, _ exception: RemoteException, isAboutTheCall: Bool) {
    // It may hold all that the caller has sent.
    let text = exception.description.prefix(Self.longestText)
    if call.reply == nil, isAboutTheCall {
      options.logger.error("Call to \(PythonRepr.of(call.name)) caused error: \(text)")
    } else if options.logs.includes(error) {
      let (arguments, keywords) = call.arguments.texts
      options.logger.error(
        "An exception \(text) from method \(PythonRepr.of(call.name)) call occurred.",
        metadata: ["method": "\(call.name)", "args": "\(arguments)", "kwargs": "\(keywords)"])
    }
  }
}
