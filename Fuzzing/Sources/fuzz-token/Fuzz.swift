import Dispatch
import LibFuzzer

@testable import GatewaySecurity

/// Of one issuer, whose key `seeds.py` has too.
private let verifier: TokenVerifier = {
  let set = #"{"keys":[{"kty":"oct","kid":"k","k":"c2VlZHMgb2YgYSBmdXp6ZXIsIGtub3duIHRvIGFsbCBvZiB1cw"}]}"#
  // Keys are made ready by a task; this waits for it once.
  nonisolated(unsafe) var keys: [TokenKey] = []
  let done = DispatchSemaphore(value: 0)
  Task.detached {
    keys = (try? await TokenIssuer.keys(try KeyDescription.read(jwks: set), for: [.hs256])) ?? []
    done.signal()
  }
  done.wait()
  precondition(!keys.isEmpty)
  return TokenVerifier([TokenIssuer(names: ["i"], audiences: ["a"], algorithms: [.hs256], keys: keys)])
}()

/// The one token that was made, beside those that nobody can make: what is changed of it is refused.
private let sound =
  "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJpIiwiYXVkIjoiYSIsInN1YiI6InMiLCJleHAiOjIwMDB9."

private func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeRawBufferPointer(start: data, count: count)
  if verifier.verify(bytes, at: 1_000) != nil { precondition(bytes.starts(with: sound.utf8)) }
  precondition(verifier.verify(bytes, at: 3_000) == nil)
  _ = try? KeyDescription.read(jwks: String(decoding: bytes, as: UTF8.self))
  return 0
}

/// The package manager has the program begin here, where libFuzzer would have its own `main`.
@_cdecl("fuzz_token_main")
public func run(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  runFuzzer(count, arguments, fuzz)
}
