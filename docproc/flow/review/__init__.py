"""The reviewer's queue, workbench and decisions."""
