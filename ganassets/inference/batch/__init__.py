"""The batch engine: thousands of assets to disk, in processes side by side, that go on where they were stopped."""
