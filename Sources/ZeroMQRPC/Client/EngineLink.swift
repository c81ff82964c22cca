/// How the parts of an engine reach it without keeping it alive.
///
/// Not a weak reference: what is referred to weakly takes several times as long to be retained, and each call retains the engine.
final class EngineLink {
  // Safe: the engine takes itself out before it goes, on the thread to which it and its parts are confined.
  private(set) unowned(unsafe) var engine: CallEngine?

  /// Leads to this engine, until `end`.
  func lead(to engine: CallEngine) { self.engine = engine }

  /// Leads nowhere any more.
  func end() { engine = nil }
}
