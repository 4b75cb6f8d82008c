# being written; see SPLIT.txt in the scratch folder
