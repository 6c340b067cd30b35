// A fault of one part of the page stays there, says what it is and can be tried again. Knows no view.
import { Component, type ReactNode, useEffect } from "react";
import { live } from "../state/live";
import controls from "../ui/controls.module.css";
import styles from "./Empty.module.css";

/** What browsers and the bundler say of a piece of the page that did not come. */
const NOT_LOADED = /preload|dynamically imported|importing a module|loading (css )?chunk/i;

export class Failure extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    if (NOT_LOADED.test(error.message)) return <NotLoaded />;
    return (
      <div className={styles.empty} role="alert">
        <h1>This part of the page failed</h1>
        <p>{error.message}</p>
        <p>If the server was just updated, loading the page anew may help.</p>
        <button type="button" className={controls.button} onClick={() => this.setState({ error: null })}>
          Try again
        </button>
      </div>
    );
  }
}

/** A view that could not be fetched stays so for as long as the page lives; the address says all of the page, so it is loaded anew. */
function NotLoaded() {
  useEffect(() => {
    let wasAway = false;
    return live().onStatus((status) => {
      if (status === "live" && wasAway) location.reload();
      wasAway ||= status !== "live";
    });
  }, []);
  return (
    <div className={styles.empty} role="alert">
      <h1>This view is not there yet</h1>
      <p>The server did not answer when it was asked for the view. It is loaded as soon as the server is back.</p>
      <button type="button" className={controls.button} onClick={() => location.reload()}>
        Try again
      </button>
    </div>
  );
}
