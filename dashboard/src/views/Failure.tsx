// A fault of one view stays in its panel, says what it is and can be tried again. Knows no view.
import { Component, type ReactNode } from "react";
import controls from "../ui/controls.module.css";
import styles from "./Empty.module.css";

export class Failure extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className={styles.empty} role="alert">
        <h1>This view failed</h1>
        <p>{error.message}</p>
        <button type="button" className={controls.button} onClick={() => this.setState({ error: null })}>
          Try again
        </button>
      </div>
    );
  }
}
