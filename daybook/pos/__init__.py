"""Where receipts come from: one file per point of sale, all behind `source.ReceiptSource`."""
